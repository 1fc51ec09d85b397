/** The words of runtime.boundsError (runtime/error.go), of which a panic with an index out of range is made. */

/** boundsErrorFmts: by boundsErrorCode. */
const bounds = [
  'index out of range [%x] with length %y',
  'slice bounds out of range [:%x] with length %y',
  'slice bounds out of range [:%x] with capacity %y',
  'slice bounds out of range [%x:%y]',
  'slice bounds out of range [::%x] with length %y',
  'slice bounds out of range [::%x] with capacity %y',
  'slice bounds out of range [:%x:%y]',
  'slice bounds out of range [%x:%y:]',
  'cannot convert slice with length %y to array or pointer to array with length %x',
]

/** boundsNegErrorFmts: where x is negative, y does not matter. */
const negativeBounds = [
  'index out of range [%x]',
  'slice bounds out of range [:%x]',
  'slice bounds out of range [:%x]',
  'slice bounds out of range [%x:]',
  'slice bounds out of range [::%x]',
  'slice bounds out of range [::%x]',
  'slice bounds out of range [:%x:]',
  'slice bounds out of range [%x::]',
  '',
]

/** The text of boundsError.Error. Go 1.19 and earlier convert to pointers to arrays only, and say so. */
export function boundsErrorText(
  { x, y, signed, code }: { x: bigint; y: bigint; signed: boolean; code: number },
  goMinor: number,
): string | undefined {
  const format = (signed && x < 0n ? negativeBounds : bounds)[code]
  if (format === undefined) return undefined
  const text = goMinor < 20 ? format.replace('to array or pointer to array', 'to pointer to array') : format
  return `runtime error: ${text.replace('%x', String(x)).replace('%y', String(y))}`
}
