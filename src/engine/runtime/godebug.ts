/**
 * GODEBUG as the program was started with: the defaults that the go command built in, and the environment variable,
 * which is on the main thread's stack, where the kernel put it below the program's name (fs/binfmt_elf.c).
 */

import { fixedText } from '../bytes/cursor.ts'
import { AuxType } from '../core/auxv.ts'
import type { ProcessImage } from '../core/process-image.ts'
import type { BuildInfo } from '../gosym/index.ts'

const page = 4096
/** The kernel allows more; a variable further down is not found. */
const maxEnvironment = 1 << 18

/** Settings by name; those of the environment go before the built-in ones. */
export function readGodebug(
  image: ProcessImage,
  buildInfo: BuildInfo | undefined,
): ReadonlyMap<string, string> {
  const settings = new Map<string, string>()
  for (const text of [buildInfo?.settings.DefaultGODEBUG, fromEnvironment(image)])
    for (const setting of text?.split(',') ?? []) {
      const equals = setting.indexOf('=')
      if (equals > 0) settings.set(setting.slice(0, equals), setting.slice(equals + 1))
    }
  return settings
}

function fromEnvironment({ core, memory }: ProcessImage): string | undefined {
  const end = core.auxv.get(AuxType.execfn)
  if (end === undefined) return undefined
  let start = end - (end % page)
  while (end - start < maxEnvironment && memory.has(start - page, page)) start -= page
  const bytes = memory.tryRead(start, end - start)
  const at = bytes ? findLastText(bytes, name) : -1
  return bytes && at >= 0 ? fixedText(bytes.subarray(at + name.length)) : undefined
}

const name = '\0GODEBUG='

/** The environment lies above everything else that could hold the text. */
function findLastText(bytes: Uint8Array, text: string): number {
  const wanted = new TextEncoder().encode(text)
  for (let at = bytes.lastIndexOf(wanted[1]!); at > 0; at = bytes.lastIndexOf(wanted[1]!, at - 1))
    if (wanted.every((byte, i) => bytes[at - 1 + i] === byte)) return at - 1
  return -1
}
