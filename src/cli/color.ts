/** Colour only on a terminal, and never with NO_COLOR (https://no-color.org). What CI systems set has no say. */
export function hasColor(stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY === true && !process.env['NO_COLOR'];
}
