/** `offset` rounded up to a multiple of `align`; of any size, where `& ~3` ends at 2^31. */
export function alignUp(offset: number, align: number): number {
  return Math.ceil(offset / align) * align
}
