/** What is returned out of a scope with `using` before it is done finds closed what it works on. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')
const files = globSync('{src,scripts}/**/*.ts', { cwd: root }).map(name => ({
  name,
  text: readFileSync(join(root, name), 'utf8'),
}))
/** Functions of ours that answer with a promise, by their names. */
const promising = new Set(
  files.flatMap(({ text }) =>
    [...text.matchAll(/\basync function (\w+)|\bfunction (\w+)\([^{}]*\): Promise</g)].map(
      m => m[1] ?? m[2]!,
    ),
  ),
)

/** Lines of a text, as `line: text`, that return a promise while something is to be disposed of. */
function hasty(text: string): string[] {
  const lines = text.split('\n')
  const depth = (line: string): number => line.search(/\S/)
  return lines.flatMap((line, at) => {
    if (!/^\s*(?:await )?using \w/.test(line)) return []
    const end = lines.findIndex((other, i) => i > at && other !== '' && depth(other) < depth(line))
    return lines.slice(at, end).flatMap((other, i) => {
      const returned = /\breturn (?!await\b)(.*)/.exec(other)?.[1] ?? ''
      const called = [...returned.matchAll(/(?<!\.|\w|await )(\w+)\(/g)].map(match => match[1]!)
      return called.some(name => promising.has(name)) ? [`${at + i + 1}: ${other.trim()}`] : []
    })
  })
}

test('the check sees what it is for', () => {
  assert.ok(promising.has('printPanes'))
  const scope = (line: string): string => `{\n  using file = open()\n  if (file) {\n    ${line}\n  }\n}\n`
  assert.deepEqual(hasty(scope('return file.tty ? runScreen(file) : printPanes(file)')).length, 1)
  assert.deepEqual(hasty(scope('return await printPanes(file)')), [])
  assert.deepEqual(hasty(`${scope('return file')}return printPanes()`), [])
})

test('a promise is awaited where it is returned out of a scope with `using`', () => {
  assert.deepEqual(
    files.flatMap(({ name, text }) => hasty(text).map(line => `${name}:${line}`)),
    [],
  )
})
