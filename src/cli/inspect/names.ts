/** `sources`, `packages` and `libraries`: what a program is made of. */
import { printable } from '../render/escape.ts'
import { palette } from '../render/style.ts'
import type { InspectContext } from './context.ts'

export function sourceFiles({ code }: InspectContext, filter: RegExp): string[] {
  return sorted(code.sourceFiles(), filter)
}

/** Import paths of the packages that have code. */
export function packages({ code }: Pick<InspectContext, 'code'>, filter: RegExp): string[] {
  return sorted(code.packages(), filter)
}

function sorted(names: Iterable<string>, filter: RegExp): string[] {
  return [...new Set(names)].filter(name => name !== '' && filter.test(name)).sort()
}

export function* nameLines(names: Iterable<string>): Generator<string> {
  let none = true
  for (const name of names) {
    none = false
    yield printable(name)
  }
  if (none) yield '(none)'
}

export interface Library {
  readonly path: string
  readonly start: number
  readonly end: number
  readonly buildId?: string
  /** Whether its file was found on this machine or in the archive. */
  readonly found: boolean
}

/** The shared libraries in the order of their addresses. */
export function libraries({ process }: InspectContext): Library[] {
  const { image } = process
  const known = new Map(image.libraries.map(library => [library.path, library]))
  const mapped = new Map<string, { start: number; end: number }>()
  for (const { path, start, end } of image.core.mappings) {
    const before = mapped.get(path)
    mapped.set(
      path,
      before ? { start: Math.min(before.start, start), end: Math.max(before.end, end) } : { start, end },
    )
  }
  return [...mapped]
    .filter(([path]) => path !== image.executable?.path && (known.has(path) || /\.so(?:\.|$| )/.test(path)))
    .map(([path, range]) => {
      const buildId = known.get(path)?.elf.buildId
      return { path, ...range, found: known.has(path), ...(buildId === undefined ? {} : { buildId }) }
    })
    .sort((a, b) => a.start - b.start)
}

/** As dlv numbers them, with what it does not say behind. */
export function* libraryLines(context: InspectContext): Generator<string> {
  const { dim } = palette(context.look)
  const list = libraries(context)
  if (list.length === 0) yield dim('(no shared libraries: the program is linked statically)')
  for (const [i, { path, start, found }] of list.entries())
    yield `${i}. 0x${start.toString(16)} ${printable(path)}${found ? '' : dim('  (its file was not found)')}`
}
