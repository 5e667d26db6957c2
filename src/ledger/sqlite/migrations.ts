/** `PRAGMA application_id` of a ledger: "shpl". */
export const applicationId = 0x7368706c;

/**
 * Migration n brings `user_version` from n to n + 1. Never edit one that was released; add another.
 * Times are milliseconds since the epoch.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE revisions (
    id INTEGER PRIMARY KEY,               -- the order in which they were first seen
    version TEXT NOT NULL UNIQUE,
    subject TEXT NOT NULL,
    author TEXT NOT NULL,
    committed_at TEXT NOT NULL,           -- RFC 3339
    seen_at INTEGER NOT NULL,
    diagnostics TEXT NOT NULL,            -- JSON array
    outcome TEXT,                         -- null: not decided yet
    outcome_at INTEGER,
    reason TEXT,
    pushed_at INTEGER,                    -- of its newest push:
    settled_at INTEGER,
    connected INTEGER,
    acked INTEGER,
    refused INTEGER,
    unanswered INTEGER,
    every_customer INTEGER NOT NULL DEFAULT 0 -- 1: it changes more customers than "changes" lists
  ) STRICT;
  CREATE INDEX revisions_by_outcome ON revisions (outcome, id);

  CREATE TABLE releases (
    version TEXT PRIMARY KEY REFERENCES revisions (version) ON DELETE CASCADE,
    stored_id INTEGER NOT NULL,           -- the order in which they were last stored
    subject TEXT NOT NULL,
    fields TEXT NOT NULL,                 -- JSON array of [key, value]
    resource BLOB NOT NULL
  ) STRICT;

  CREATE TABLE changes (                  -- which customers a release changes
    customer TEXT NOT NULL,
    version TEXT NOT NULL REFERENCES revisions (version) ON DELETE CASCADE,
    PRIMARY KEY (customer, version)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX changes_by_version ON changes (version);

  CREATE TABLE marks (
    version TEXT NOT NULL REFERENCES revisions (version) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('pinned', 'held', 'accepted')),
    at INTEGER NOT NULL,
    by TEXT,
    reason TEXT,
    refusal TEXT,                         -- JSON, of a pin
    PRIMARY KEY (version, kind)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    version TEXT NOT NULL REFERENCES revisions (version) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    by TEXT,
    detail TEXT NOT NULL                  -- JSON
  ) STRICT;
  CREATE INDEX events_by_version ON events (version, id);

  CREATE TABLE fleet (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    live TEXT REFERENCES releases (version),
    live_since INTEGER,
    live_proven INTEGER,
    proven TEXT REFERENCES releases (version),
    head TEXT REFERENCES revisions (version),
    tip TEXT,
    seq INTEGER NOT NULL
  ) STRICT;
  INSERT INTO fleet (one, seq) VALUES (1, 0);
  PRAGMA application_id = ${applicationId};
  `,
  `
  CREATE TABLE muted (                    -- nodes whose vote an operator has taken away
    node TEXT PRIMARY KEY,                -- node.id
    at INTEGER NOT NULL,
    by TEXT
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE contents (                 -- what was live, whatever its commit
    id INTEGER PRIMARY KEY,               -- the order in which they last became it
    digest TEXT NOT NULL UNIQUE
  ) STRICT;
  `,
  `
  CREATE TABLE state (                    -- what a restart goes on from: Memory of src/state/
    one INTEGER PRIMARY KEY CHECK (one = 1),
    json TEXT NOT NULL
  ) STRICT;
  INSERT INTO state (one, json) SELECT 1, json_object(
    'revisions', json_object(
      'taken', tip,
      'head', json((
        SELECT json_object('version', version, 'subject', subject, 'outcome', outcome, 'diagnostics', json(diagnostics))
        FROM revisions WHERE version = head)),
      'accepted', json((
        SELECT json_group_array(version ORDER BY at, version)
        FROM (SELECT * FROM marks WHERE kind = 'accepted' ORDER BY at DESC, version DESC LIMIT 1000))),
      'contents', json((
        SELECT json_group_array(digest ORDER BY id) FROM (SELECT * FROM contents ORDER BY id DESC LIMIT 1000)))),
    'rollout', json_object(
      'live', json(CASE
        WHEN live IS NULL THEN NULL
        WHEN live_proven = 1 THEN json_object('version', live, 'since', live_since, 'proven', json('true'))
        ELSE json_object('version', live, 'since', live_since, 'proven', json('false'), 'fallback', nullif(proven, live))
      END),
      'candidate', NULL,
      'pins', json((                      -- with the place in the file that the node's refusal had
        SELECT json_group_array(json_object('version', version, 'refusal', json_set(refusal, '$.place', json((
          SELECT json_extract(detail, '$.place') FROM events
          WHERE events.version = pins.version AND type = 'refused'
            AND json_extract(detail, '$.node') = json_extract(refusal, '$.node')
            AND json_extract(detail, '$.message') = json_extract(refusal, '$.message')
          ORDER BY id LIMIT 1)))) ORDER BY at, version)
        FROM (SELECT * FROM marks WHERE kind = 'pinned' ORDER BY at DESC, version DESC LIMIT 1000) AS pins)),
      'muted', json((
        SELECT json_group_array(node ORDER BY at, node) FROM (SELECT * FROM muted ORDER BY at DESC, node DESC LIMIT 1000))),
      'pushes', seq,
      'members', json((
        SELECT json_group_array(connected ORDER BY id)
        FROM (SELECT * FROM revisions WHERE connected IS NOT NULL ORDER BY id DESC LIMIT 20))),
      'settled', json((
        SELECT json_object('version', version, 'isClean', json(iif(refused + unanswered = 0, 'true', 'false')))
        FROM revisions WHERE version = live AND settled_at IS NOT NULL))))
  FROM fleet WHERE EXISTS (SELECT 1 FROM revisions) OR EXISTS (SELECT 1 FROM muted) OR tip IS NOT NULL;
  DROP TABLE fleet;
  DROP TABLE contents;
  DROP TABLE marks;
  `,
  `
  ALTER TABLE releases RENAME COLUMN fields TO content; -- JSON of release/content.ts, from the array of runtime keys and values
  UPDATE releases SET content = (
    WITH fields AS MATERIALIZED (SELECT id, value AS pair, value ->> 0 AS name, value -> 1 AS json FROM json_each(releases.content))
    SELECT json_object('config', json_object(
      'totalHosts', json(ifnull(max(json) FILTER (WHERE name = 'shuffle_sharding.total_hosts'), 0)),
      'defaultShardSize', json(ifnull(max(json) FILTER (WHERE name = 'shuffle_sharding.default_shard_size'), 0)),
      'hosts', json('[' || replace(max(json) FILTER (WHERE name = 'shuffle_sharding.hosts'), ',', '","') || ']'),
      'drained', json('[' || ifnull(trim(max(json) FILTER (WHERE name = 'shuffle_sharding.drain'), '",'), '') || ']'),
      'customers', json(json_group_array(json_array(substr(name, 27, length(name) - 37), json(json)) ORDER BY id)
        FILTER (WHERE name GLOB 'shuffle_sharding.customer.*.shard_size')),
      'runtime', json(json_group_array(json(pair) ORDER BY id) FILTER (WHERE name NOT GLOB 'shuffle_sharding.*'))))
    FROM fields);
  `,
  `
  UPDATE state SET json = json_set(json,
    '$.rollout.candidate', NULL,          -- was a version without its waves: it is judged, and rolled out, again
    '$.rollout.pins', json((              -- a refusal is one cause of several
      SELECT json_group_array(json_object(
        'version', value ->> 'version', 'cause', json_patch('{"type": "refused"}', value -> 'refusal')))
      FROM json_each(state.json, '$.rollout.pins'))));
  `,
];
