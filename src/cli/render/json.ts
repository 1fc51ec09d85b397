/**
 * JSON for programs: one document that names its schema and version, with the long list in it written one element a
 * line as the elements come, so that a hundred thousand goroutines need the memory of one.
 */
import { toJson } from './escape.ts'

/** The lines of `{…before, "key": [elements], …after}`; `after` is asked when all elements are written. */
export function* jsonDocument(
  before: Record<string, unknown>,
  key: string,
  elements: Iterable<unknown>,
  after: () => Record<string, unknown> = () => ({}),
): Generator<string> {
  const members = (object: Record<string, unknown>): string[] =>
    Object.entries(object)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${JSON.stringify(name)}:${toJson(value)}`)
  yield `{${[...members(before), `${JSON.stringify(key)}:[`].join(',\n')}`
  let held: string | undefined
  for (const element of elements) {
    if (held !== undefined) yield `${held},`
    held = toJson(element)
  }
  if (held !== undefined) yield held
  yield [']', ...members(after())].join(',\n')
  yield '}'
}

/** One object, a member a line. */
export function* jsonObject(object: Record<string, unknown>): Generator<string> {
  const members = Object.entries(object).filter(([, value]) => value !== undefined)
  yield '{'
  for (const [i, [name, value]] of members.entries())
    yield `${JSON.stringify(name)}:${toJson(value)}${i < members.length - 1 ? ',' : ''}`
  yield '}'
}
