/** Places in the code as people write them: `main.put`, `put`, `cache.go:41`, `*0x47a744`, `+3`. */
import { NotFoundError } from '../../base/errors.ts'
import { type InspectContext, parseAddress } from './context.ts'

const maxNamed = 8

/** Address of the first instruction of a place. Throws NotFoundError, and names the candidates where it is several. */
export function parseLocation(text: string, context: InspectContext): number {
  const { code } = context
  if (/^\*/.test(text)) return parseAddress(text.slice(1), context)
  if (/^(?:0x|\$)/i.test(text)) return parseAddress(text, context)
  const place = /^(.+):(\d{1,9})$/.exec(text)
  if (place) {
    const [, file, line] = place
    const found = code.addressesOf(file!, Number(line))
    if (found.length > 0) return found[0]!
    const within = code.findFunctions(file!, 1)[0]
    if (!within) throw new NotFoundError(`No instruction is of ${text}.`)
    const own = code.lineAt(within.start)
    const inside = own && code.addressesOf(own.file, own.line + Number(line))
    return inside?.[0] ?? within.start
  }
  const found = code.findFunctions(text, maxNamed + 1)
  if (found.length === 0) throw new NotFoundError(`There is no function ${text}.`)
  if (found.length > 1 && found.some(({ name }) => name !== found[0]!.name)) {
    const names = found.slice(0, maxNamed).map(({ name }) => name)
    const more = found.length > maxNamed ? ', …' : ''
    throw new NotFoundError(`${text} is more than one function: ${names.join(', ')}${more}.`)
  }
  return found[0]!.start
}
