import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';

export type Row = Record<string, SQLOutputValue>;

/** Statements of one database, each prepared once. Throws SQLite's errors. */
export interface Statements {
  /** Returns whether a row was changed. */
  readonly run: (sql: string, ...values: SQLInputValue[]) => boolean;
  readonly all: (sql: string, ...values: SQLInputValue[]) => Row[];
}

export function createStatements(db: DatabaseSync): Statements {
  const prepared = new Map<string, StatementSync>();
  const statement = (sql: string): StatementSync => {
    const known = prepared.get(sql) ?? db.prepare(sql);
    prepared.set(sql, known);
    return known;
  };
  return {
    run: (sql, ...values) => Number(statement(sql).run(...values).changes) > 0,
    all: (sql, ...values) => statement(sql).all(...values),
  };
}
