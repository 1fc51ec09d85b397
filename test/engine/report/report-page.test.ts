/** gocore-report(5) against the types of the report and against a real one. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fixtureCore, fixtureExecutable } from '../../../scripts/fuzz.d/fixture.ts'
import { analyse, reportVersion } from '../../../src/engine/index.ts'

const root = join(import.meta.dirname, '../../..')
const source = readFileSync(join(root, 'src/engine/report/report.ts'), 'utf8')
const page = readFileSync(join(root, 'man/gocore-report.5'), 'utf8')

/** Object name → field name → its type's text and whether it may be absent. */
function typesOf(text: string): Map<string, Map<string, { type: string; optional: boolean }>> {
  const types = new Map<string, Map<string, { type: string; optional: boolean }>>()
  for (const [, name, body] of text.matchAll(/^export interface (\w+) \{\n([\s\S]*?)^\}/gm)) {
    const fields = [...body!.matchAll(/^ {2}(\w+)(\?)?: (.*)$/gm)]
    types.set(
      name!,
      new Map(fields.map(([, field, mark, type]) => [field!, { type: type!, optional: mark === '?' }])),
    )
  }
  return types
}

/** Object name → the fields that its section of the page lists, with what it says of each. */
function pageObjects(): Map<string, Map<string, string>> {
  const objects = new Map<string, Map<string, string>>()
  const body = page.slice(page.indexOf('.SH OBJECTS'), page.indexOf('.SH SIGNATURE'))
  for (const section of body.split(/^\.SS /m).slice(1)) {
    const name = section.split('\n')[0]!
    // Values of a field are listed one level in.
    const top = section.replace(/^\.RS\n[\s\S]*?^\.RE$/gm, '')
    const entries = top.split(/^\.TP\n\.B /m).slice(1)
    objects.set(name, new Map(entries.map(entry => [entry.split('\n')[0]!, entry])))
  }
  return objects
}

test('the page has every object and every field of the report, and no other', () => {
  const types = typesOf(source)
  const objects = pageObjects()
  assert.deepEqual([...objects.keys()].sort(), [...types.keys()].sort())
  for (const [name, fields] of types)
    assert.deepEqual([...objects.get(name)!.keys()], [...fields.keys()], `fields of ${name}`)
})

test('the page tells the version', () => {
  assert.match(page, new RegExp(`\\.B version\\nis ${reportVersion}\\.`))
})

test('a real report has the fields that the page lists and no other', () => {
  const types = typesOf(source)
  const report = analyse(fixtureCore(), { executable: fixtureExecutable(), find: () => undefined })
  const check = (value: unknown, name: string): void => {
    const fields = types.get(name)!
    const object = value as Record<string, unknown>
    for (const key of Object.keys(object)) assert.ok(fields.has(key), `${name}.${key} is not on the page`)
    for (const [key, { type, optional }] of fields) {
      if (object[key] === undefined) {
        assert.ok(optional, `${name}.${key} is missing`)
        continue
      }
      const inner = /^(\w+)(\[\])?$/.exec(type)
      if (!inner || !types.has(inner[1]!)) continue
      for (const item of inner[2] ? (object[key] as unknown[]) : [object[key]]) check(item, inner[1]!)
    }
  }
  check(JSON.parse(JSON.stringify(report)), 'Report')
  assert.ok(report.goroutines.length > 0 && report.groups.length > 0 && report.threads.length > 0)
})
