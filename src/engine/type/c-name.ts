/** Names of C's derived types, as gdb writes them: a star or a length stands where a declaration would have the name. */
import type { Type } from './type.ts'

/** Characters of a function's parameters: each may be a function whose name has its parameters, and so on. */
const maxParams = 4096

/** `int *`, `char **`, `int (*)[3]`, `int (*)(int)`, `int (**)(int)`; `mark` is `*`, `&` or `&&`. */
export function cPointerName(elem: Type, mark = '*'): string {
  const { name } = elem
  const at = holeIn(elem)
  if (at === undefined) return `${name}${/[*&]$/.test(name) ? '' : ' '}${mark}`
  if (name[at] === ')') return name.slice(0, at) + mark + name.slice(at)
  return `${name.slice(0, at).trimEnd()} (${mark})${name.slice(at).trimStart()}`
}

/** `int [3]`, `int [2][3]`, `char *[3]`, `int (*[3])(int)`; a length that is not known is left out. */
export function cArrayName(elem: Type, length: number | ''): string {
  const { name } = elem
  const at = holeIn(elem) ?? name.length
  const [before, after] = [name.slice(0, at).trimEnd(), name.slice(at).trimStart()]
  return `${before}${/[*&](?: (?:const|volatile|restrict))*$/.test(before) ? '' : ' '}[${length}]${after}`
}

/** `int (char *, ...)`, `void (void)`; ends with `…` where it comes to more than a screen. */
export function cFunctionName(result: string, params: readonly string[]): string {
  let list = ''
  for (const param of params) {
    if (list.length > maxParams) return `${result} (${list}, …)`
    list += list === '' ? param : `, ${param}`
  }
  return `${result} (${list || 'void'})`
}

/** Where a name would stand in the type's own name, if not at its end: behind `(*`, before a length or parameters. */
function holeIn({ name, kind, named }: Type): number | undefined {
  if (named) return undefined
  const inner = /\([*&][^()[\]]*/.exec(name)
  if (inner && (kind === 'pointer' || kind === 'array')) return inner.index + inner[0].length
  if (kind === 'array') return before(name, '[')
  return kind === 'func' ? before(name, '(') : undefined
}

function before(name: string, mark: string): number | undefined {
  const at = name.indexOf(mark)
  return at < 0 ? undefined : at
}
