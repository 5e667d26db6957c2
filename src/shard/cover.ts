/**
 * Members that, taken away, leave no pair: those with the most pairs first, among them the one that comes first in `order` (a number
 * for each member, the lower the sooner). Of groups in which each is paired with each it takes the fewest that is possible.
 */
export function coverPairs(pairs: readonly (readonly [number, number])[], order: readonly number[]): Set<number> {
  const partners = toPartners(pairs);
  const degree = new Map([...partners].map(([member, others]) => [member, others.length]));
  // members by how many pairs they have; one whose number has gone down since is skipped
  const byDegree: number[][] = [];
  const put = (member: number): void => void (byDegree[degree.get(member) ?? 0] ??= []).push(member);
  for (const member of partners.keys()) put(member);
  const taken = new Set<number>();
  for (let most = byDegree.length - 1; most > 0; most--) {
    const members = (byDegree[most] ?? []).toSorted((a, b) => (order[a] ?? 0) - (order[b] ?? 0));
    for (const member of members) {
      if (degree.get(member) !== most || taken.has(member)) continue;
      taken.add(member);
      for (const other of partners.get(member) ?? []) {
        if (taken.has(other)) continue;
        degree.set(other, (degree.get(other) ?? 0) - 1);
        put(other);
      }
    }
  }
  return taken;
}

function toPartners(pairs: readonly (readonly [number, number])[]): Map<number, number[]> {
  const partners = new Map<number, number[]>();
  const add = (member: number, other: number): void => {
    const others = partners.get(member);
    if (others === undefined) partners.set(member, [other]);
    else others.push(other);
  };
  for (const [a, b] of pairs) {
    add(a, b);
    add(b, a);
  }
  return partners;
}
