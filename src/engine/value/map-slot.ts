/** What both implementations of maps share. */

/** Where a map's slot keeps its key and its element; addresses of pointers to them where they are kept apart. */
export interface Slot {
  readonly key: number
  readonly elem: number
}

/** Counts down the slots that may still be looked at; a scan ends where none is left. */
export interface Budget {
  left: number
}

/** Keys and elements of more bytes are kept apart and pointed to (abi.MapMaxKeyBytes; MaxKeySize before Go 1.24). */
export const maxInline = 128
