import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Column, table } from '../../../src/cli/render/table.ts'
import { columns, cut, wrap } from '../../../src/cli/render/text.ts'

interface Row {
  id: string
  path: string
  note: string
}
const rows: Row[] = [
  { id: 'a', path: '/srv/very/long/path/server', note: 'first' },
  { id: 'b', path: '/x', note: 'the second one has more to say' },
]
const wanted: Column<Row>[] = [
  { title: 'ID', cell: row => row.id },
  { title: 'PATH', cell: row => row.path, shrink: 2, least: 8, cutFrom: 'start' },
  { title: 'NOTE', cell: row => row.note, shrink: 1, least: 10, drop: 1 },
]
const lines = (width: number): string[] => [...table(rows, wanted, { width, color: false, now: 0 })]

describe('table()', () => {
  it('gives each column its natural width where there is room', () => {
    assert.deepEqual(lines(Number.POSITIVE_INFINITY), [
      'ID  PATH                        NOTE',
      'a   /srv/very/long/path/server  first',
      'b   /x                          the second one has more to say',
    ])
  })
  it('cuts the column that gives way first, at the end that it may lose', () => {
    assert.equal(lines(56)[1], 'a   …ry/long/path/server  first')
    for (const line of lines(56)) assert.ok(columns(line) <= 56)
  })
  it('drops a column before it cuts below the least widths', () => {
    assert.deepEqual(lines(20), ['ID  PATH', 'a   …ong/path/server', 'b   /x'])
  })
  it('cuts below the least widths rather than beyond the terminal', () => {
    assert.deepEqual(lines(10), ['ID  PATH', 'a   …erver', 'b   /x'])
  })
  it('prints nothing for no rows', () =>
    assert.deepEqual([...table([], wanted, { width: 80, color: false, now: 0 })], []))
  it('leaves a column out that is empty everywhere', () => {
    const one = [
      ...table(
        [{ id: 'a', path: '', note: '' }],
        wanted.map(c => ({ ...c, title: '' })),
        { width: 80, color: false, now: 0 },
        { header: false },
      ),
    ]
    assert.deepEqual(one, ['a'])
  })
})

describe('text', () => {
  it('counts wide characters as two columns', () => assert.equal(columns('猫a'), 3))
  it('cuts at either end', () => {
    assert.equal(cut('abcdef', 4), 'abc…')
    assert.equal(cut('abcdef', 4, 'start'), '…def')
    assert.equal(cut('猫猫猫', 4), '猫…')
    assert.equal(cut('abc', 3), 'abc')
  })
  it('wraps at spaces and leaves long words whole', () => {
    assert.deepEqual(wrap('one two incomprehensible', 8), ['one two', 'incomprehensible'])
  })
})
