import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Pane, type PaneName, paneNames } from '../../../src/cli/debug/tui/pane.ts'
import { moved } from '../../../src/cli/debug/tui/run.ts'
import { screenLines, type View } from '../../../src/cli/debug/tui/screen.ts'
import { palette } from '../../../src/cli/render/style.ts'
import { columns } from '../../../src/cli/render/text.ts'

const paint = palette({ width: 80, color: false, now: 0 })

function panes(length: number, text = 'line'): Record<PaneName, Pane> {
  const make = (name: PaneName): Pane => ({
    name,
    title: name,
    length,
    line: index => `${name} ${text} ${index}`,
    ...(length > 0 ? { current: Math.floor(length / 2) } : {}),
  })
  return Object.fromEntries(paneNames.map(name => [name, make(name)])) as Record<PaneName, Pane>
}

const start: View = { focus: 'stack', scroll: {}, marked: {}, status: 'keys' }

test('screenLines() fills every size exactly, whatever the panes hold', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 4, max: 200 }),
      fc.integer({ min: 2, max: 80 }),
      fc.integer({ min: 0, max: 300 }),
      fc.constantFrom(...paneNames),
      fc.constantFrom('plain', 'wide 日本語 text', 'tab\there', 'long '.repeat(80)),
      (width, rows, length, focus, text) => {
        const lines = screenLines(panes(length, text), { ...start, focus }, { columns: width, rows }, paint)
        assert.equal(lines.length, rows)
        for (const line of lines) assert.equal(columns(line), width)
      },
    ),
  )
})

test('screenLines() shows all five panes where there is room, and one where there is not', () => {
  const wide = screenLines(panes(9), start, { columns: 120, rows: 40 }, paint).join('\n')
  for (const name of paneNames) assert.match(wide, new RegExp(` ${name} ─`))
  const narrow = screenLines(panes(9), start, { columns: 40, rows: 12 }, paint).join('\n')
  assert.match(narrow, / stack ─/)
  assert.doesNotMatch(narrow, / source ─/)
})

test('screenLines() keeps the current line in sight', () => {
  const lines = screenLines(panes(1000), start, { columns: 120, rows: 40 }, paint)
  assert.ok(lines.some(line => line.includes('source line 500')))
  assert.ok(lines.some(line => line.includes('goroutines line 500')))
})

test('moved() goes from pane to pane and never past the ends of one', () => {
  const all = panes(10)
  let view: View = start
  const press = (name: string): void => {
    view = moved(view, all, { name }, 5) ?? view
  }
  for (let i = 0; i < 50; i++) press('down')
  assert.equal(view.marked.stack, 9)
  press('home')
  assert.equal(view.marked.stack, 0)
  press('tab')
  assert.equal(view.focus, 'goroutines')
  for (let i = 0; i < 4; i++) press('tab')
  assert.equal(view.focus, 'stack')
  assert.equal(moved(view, all, { name: 'return' }, 5), undefined)
})
