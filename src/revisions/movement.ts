/** How the commit that a ref names now relates to the one taken last. */
export type Relation = 'same' | 'descendant' | 'ancestor' | 'unrelated';

/**
 * What happened to a ref since the commit taken last:
 * `absent` no such ref yet; `initial` the first look ever; `unchanged` it did not move; `created` an absent ref appeared;
 * `recreated` a deleted one came back without losing history.
 */
export type Movement =
  'absent' | 'initial' | 'unchanged' | 'created' | 'recreated' | 'fast-forward' | 'rewind' | 'diverged' | 'deleted';

/** What to do about a rewind or a rewritten history. */
export type OnRewrite = 'follow' | 'hold' | 'refuse';

/** `take` it; `hold` it until an operator accepts it; `refuse` it; `keep` what is live, since there is nothing to take. */
export type Decision = 'take' | 'hold' | 'refuse' | 'keep';

/** What is known when a ref is looked at. */
export interface RefLook {
  /** The tip taken last (over restarts too), or null when none ever was. */
  readonly base: string | null;
  /** Whether the ref was seen absent at the last look. */
  readonly wasAbsent: boolean;
  /** The commit that the ref names now; null: there is no such ref. */
  readonly tip: string | null;
  /** How `tip` relates to `base`; null when either is missing. */
  readonly relation: Relation | null;
}

/** Names the movement. A branch that comes back rewritten counts as rewritten: deleting first is no way around a hold. */
export function classify({ base, wasAbsent, tip, relation }: RefLook): Movement {
  if (tip === null) return base === null ? 'absent' : 'deleted';
  if (base === null) return wasAbsent ? 'created' : 'initial';
  if (relation === 'ancestor') return 'rewind';
  if (relation === 'unrelated' || relation === null) return 'diverged';
  if (wasAbsent) return 'recreated';
  return relation === 'same' ? 'unchanged' : 'fast-forward';
}

/** The decision that the `on_rewrite` setting makes about a movement. */
export function applyPolicy(movement: Movement, onRewrite: OnRewrite): Decision {
  switch (movement) {
    case 'absent':
    case 'deleted':
      return 'keep';
    case 'rewind':
    case 'diverged':
      return onRewrite === 'follow' ? 'take' : onRewrite;
    default:
      return 'take';
  }
}
