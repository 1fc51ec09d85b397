import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { declaredName, sourceFinder } from '../../src/cli/source-lines.ts'

const folder = mkdtempSync(join(tmpdir(), 'gocore-source-'))
after(() => rmSync(folder, { recursive: true }))
mkdirSync(join(folder, 'shop/cache'), { recursive: true })
const file = join(folder, 'shop/cache/cache.go')
writeFileSync(
  file,
  'package cache\n\nfunc (c *Cache) put(key string) {\n\tc.items[key] = 1\n}\n\nvar f = func() { panic(1) }\n\nfunc main() {\n\tgo func() {\n\t\tf()\n\t}()\n}\n',
)
const around = { before: 1, after: 1 }
const find = (path: string, line: number, symbol: string, dirs: string[] = []) =>
  sourceFinder(dirs, {}).lines({ file: path, line, function: symbol }, around)

describe('declaredName()', () => {
  const rows: [string, string | undefined][] = [
    ['main.main', 'main'],
    ['main.(*cache).put', 'put'],
    ['main.cache.put', 'put'],
    ['main.cache.put-fm', 'put'],
    ['main.main.func1.2', 'main'],
    ['main.(*cache).put.func1', 'put'],
    ['main.main.gowrap1', 'main'],
    ['main.walk-range1', 'walk'],
    ['main.Map[...]', 'Map'],
    ['main.(*List[go.shape.int]).Push', 'Push'],
    ['example.org/shop/cache.(*Cache).put', 'put'],
    ['gopkg.in/yaml%2ev3.Unmarshal', 'Unmarshal'],
    ['main.init.0', 'init'],
    ['main.init', undefined],
    ['main.glob..func1', undefined],
  ]
  for (const [symbol, name] of rows) it(symbol, () => assert.equal(declaredName(symbol), name))
})

describe('sourceFinder()', () => {
  it('shows the lines around the frame, tabs as spaces', () => {
    assert.deepEqual(find(file, 4, 'shop/cache.(*Cache).put'), [
      { number: 3, text: 'func (c *Cache) put(key string) {', here: false },
      { number: 4, text: '    c.items[key] = 1', here: true },
      { number: 5, text: '}', here: false },
    ])
  })
  it('finds a file of another machine below a directory that is named', () => {
    assert.equal(find('/build/shop/cache/cache.go', 4, 'shop/cache.(*Cache).put', [folder])?.length, 3)
    assert.equal(find('/build/shop/cache/cache.go', 4, 'shop/cache.(*Cache).put'), undefined)
  })
  it('finds closures in functions and in variables', () => {
    assert.ok(find(file, 11, 'shop/cache.main.func1'))
    assert.ok(find(file, 7, 'shop/cache.init.func1'))
  })
  it('does not show a file whose function is another one at that line', () => {
    assert.equal(find(file, 4, 'shop/cache.get'), undefined)
  })
  it('does not show a file that is too short', () =>
    assert.equal(find(file, 400, 'shop/cache.main'), undefined))
  it('does not show what is no source by name, a link, a FIFO or binary', () => {
    assert.equal(find('/etc/passwd', 1, 'main.main'), undefined)
    symlinkSync('/etc/passwd', join(folder, 'link.go'))
    assert.equal(find(join(folder, 'link.go'), 1, 'main.init'), undefined)
    execFileSync('mkfifo', [join(folder, 'fifo.go')])
    assert.equal(find(join(folder, 'fifo.go'), 1, 'main.init'), undefined)
    writeFileSync(join(folder, 'binary.go'), 'func main() {\0}')
    assert.equal(find(join(folder, 'binary.go'), 1, 'main.main'), undefined)
  })
  it('does not leave the directories that are named', () => {
    assert.equal(find('../../../../../../etc/x.go', 1, 'main.main', [folder]), undefined)
  })
  it('tells when nothing was found', () => {
    const finder = sourceFinder([], {})
    assert.equal(finder.noneFound, false)
    finder.lines({ file: '/nowhere/x.go', line: 1, function: 'main.main' }, around)
    assert.equal(finder.noneFound, true)
  })
})
