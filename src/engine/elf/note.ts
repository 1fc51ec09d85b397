/** Notes of PT_NOTE segments and SHT_NOTE sections: owner, type, description. */

import { alignUp } from '../../base/align.ts'
import { fixedText } from '../bytes/cursor.ts'
import { viewOf } from '../bytes/layout.ts'
import { Nhdr } from './records.ts'

export interface Note {
  readonly owner: string
  readonly type: number
  readonly desc: Uint8Array
}

/** Of names and descriptions, in both classes: Linux and the Go linker have it so. */
const noteAlign = 4

/**
 * The notes in `bytes`, in order. Ends at the first one that is not whole, or is nothing but zeros: what follows could not
 * be found anyway; `onCut` hears of it.
 */
export function* readNotes(bytes: Uint8Array, littleEndian: boolean, onCut?: () => void): Generator<Note> {
  const view = viewOf(bytes)
  let at = 0
  while (at + Nhdr.size <= bytes.length) {
    const { namesz, descsz, type } = Nhdr.read(view, at, littleEndian)
    const name = at + Nhdr.size
    const desc = name + alignUp(namesz, noteAlign)
    const end = desc + descsz
    const isZero = namesz === 0 && descsz === 0 && type === 0
    if (isZero || namesz > bytes.length || descsz > bytes.length || end > bytes.length) {
      onCut?.()
      return
    }
    yield { owner: fixedText(bytes.subarray(name, name + namesz)), type, desc: bytes.subarray(desc, end) }
    at = desc + alignUp(descsz, noteAlign)
  }
}
