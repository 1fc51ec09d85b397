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

/** The 4-byte alignment of names and descriptions, which Linux and the Go linker use in both classes. */
const align4 = (n: number): number => alignUp(n, 4)

/**
 * The notes in `bytes`, in order. Ends at the first one that is not whole: what follows could not be found anyway;
 * `onCut` hears of it.
 */
export function* readNotes(bytes: Uint8Array, littleEndian: boolean, onCut?: () => void): Generator<Note> {
  const view = viewOf(bytes)
  let at = 0
  while (at + Nhdr.size <= bytes.length) {
    const { namesz, descsz, type } = Nhdr.read(view, at, littleEndian)
    const name = at + Nhdr.size
    const desc = name + align4(namesz)
    const end = desc + descsz
    if (namesz > bytes.length || descsz > bytes.length || end > bytes.length) {
      onCut?.()
      return
    }
    yield { owner: fixedText(bytes.subarray(name, name + namesz)), type, desc: bytes.subarray(desc, end) }
    at = desc + align4(descsz)
  }
}
