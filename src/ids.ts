declare const brand: unique symbol;

/** A string of one kind: the compiler tells it from other strings, and takes it where any string will do. */
type Branded<Kind extends string> = string & { readonly [brand]: Kind };

/** A commit's full SHA, which names its revision and its release. */
export type Version = Branded<'Version'>;

/** Names one stream of a node, as long as the process runs. */
export type SessionId = Branded<'SessionId'>;
