import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compare } from '../../scripts/fidelity.d/compare.ts'
import { percent } from '../../scripts/fidelity.d/table.ts'
import type { Frame, Goroutine, Report } from '../../src/engine/report/report.ts'
import { parseTraceback } from '../support/traceback.ts'

const text = `panic: too much

goroutine 1 gp=0x1 m=0 mp=0x2 [running]:
panic({0x1?, 0x2?})
	/go/panic.go:879 +0x16f fp=0x3 sp=0x2 pc=0x4711
main.put(...)
	/src/main.go:12
main.main()
	/src/main.go:41 +0x8e fp=0x5 sp=0x4 pc=0x47b06e

goroutine 7 gp=0x1 m=nil [select]:
main.work()
	/src/main.go:7 +0x1 fp=0x2 sp=0x1 pc=0x9
created by main.main in goroutine 1
	/src/main.go:9 +0x1a
`

const frame = (name: string, line: number, rest: Partial<Frame>): Frame => ({
  function: name,
  file: '/src/main.go',
  line,
  pc: '0x9',
  inlined: false,
  args: '',
  ...rest,
})

const first: Goroutine = {
  id: 1,
  state: 'running',
  status: 'running',
  lockedToThread: false,
  system: false,
  frames: [
    frame('panic', 879, { file: '/go/panic.go', offset: 0x16f, pc: '0x4711', args: '{0x1?, 0x2?}' }),
    frame('main.put', 12, { inlined: true, args: '...' }),
    frame('main.main', 41, { offset: 0x8e, pc: '0x47b06e', sp: '0x4' }),
  ],
}
const second: Goroutine = {
  ...first,
  id: 7,
  state: 'select',
  frames: [frame('main.work', 7, { offset: 1 })],
  createdBy: { function: 'main.main', file: '/src/main.go', line: 9, offset: 0x1a, pc: '0x1', goroutine: 1 },
}

const against = (goroutines: Goroutine[], message = 'panic: too much'): ReturnType<typeof compare> =>
  compare(parseTraceback(text), { goroutines, death: { message, lines: [message] } } as Report)

test('compare() finds nothing to say of equal stacks', () => {
  const result = against([first, second])
  assert.deepEqual(result.misses, [])
  assert.deepEqual([result.goroutines, result.whole, result.frames, result.equalFrames], [2, 2, 4, 4])
})

const changes: [string, Goroutine][] = [
  ['state', { ...second, state: 'select, 2 minutes' }],
  ['function', { ...second, frames: [frame('main.worker', 7, { offset: 1 })] }],
  ['line', { ...second, frames: [frame('main.work', 8, { offset: 1 })] }],
  ['arguments', { ...second, frames: [frame('main.work', 7, { offset: 1, args: '0x1' })] }],
  ['offset', { ...second, frames: [frame('main.work', 7, { offset: 2 })] }],
  ['pc', { ...second, frames: [frame('main.work', 7, { offset: 1, pc: '0x8' })] }],
  ['sp', { ...second, frames: [frame('main.work', 7, { offset: 1, sp: '0x8' })] }],
  ['inlining', { ...second, frames: [frame('main.work', 7, { inlined: true })] }],
  ['a frame too many', { ...second, frames: [...second.frames, ...second.frames] }],
  ['a frame too few', { ...second, frames: [] }],
  ['creator', { ...second, createdBy: { ...second.createdBy!, goroutine: 2 } }],
]
for (const [what, changed] of changes) {
  test(`compare() tells of another ${what}`, () => {
    const { misses, whole } = against([first, changed])
    assert.deepEqual(
      misses.map(miss => miss.goroutine),
      [7],
    )
    assert.equal(whole, 1)
  })
}

test('compare() tells of goroutines that one side lacks, and of another death', () => {
  assert.equal(against([first]).misses.length, 1)
  assert.equal(against([first, second, { ...second, id: 8 }]).misses.length, 1)
  assert.equal(against([first, second], 'panic: too little').misses.length, 1)
})

test('compare() looks for the stacks of threads in those of the report', () => {
  const onThread = parseTraceback(`fatal error: bad

runtime stack:
main.put(...)
	/src/main.go:12
main.work()
	/src/main.go:7 +0x1 fp=0x2 sp=0x1 pc=0x9
`)
  const inlined = frame('main.put', 12, { inlined: true, args: '...' })
  const missesOf = (frames: Frame[]): number => {
    const report = {
      goroutines: [],
      threads: [{ frames }],
      death: { message: 'fatal error: bad', lines: ['fatal error: bad'] },
    }
    return compare(onThread, report as unknown as Report).misses.length
  }
  assert.equal(missesOf([first.frames[0]!, inlined, ...second.frames]), 0)
  assert.equal(missesOf([inlined]), 1)
  assert.equal(missesOf([inlined, frame('main.work', 8, {})]), 1)
})

test('compare() passes over the middle that the text leaves out', () => {
  const deep = parseTraceback(`goroutine 1 [running]:
main.a()
	/src/main.go:1 +0x1 fp=0x2 sp=0x1 pc=0x9
...3 frames elided...
main.b()
	/src/main.go:2 +0x1 fp=0x2 sp=0x1 pc=0x9
`)
  const [a, b] = [frame('main.a', 1, { offset: 1 }), frame('main.b', 2, { offset: 1 })]
  const of = (frames: Frame[], framesOmitted: number): number => {
    const report = { goroutines: [{ ...first, frames, framesOmitted }], death: { message: '', lines: [] } }
    return compare(deep, report as unknown as Report).misses.filter(miss => miss.goroutine === 1).length
  }
  assert.equal(of([a, a, a, a, b], 0), 0)
  assert.equal(of([a, b], 3), 0)
  assert.equal(of([a, a, b], 0), 1)
})

test('compare() counts as moved what a thread picked up, or let go, after it was printed', () => {
  const going = parseTraceback(`SIGQUIT: quit
PC=0x9 m=0 sigcode=0

goroutine 1 [running]:
	goroutine running on other thread; stack unavailable

goroutine 7 [runnable]:
main.work()
	/src/main.go:7 +0x1 fp=0x2 sp=0x1 pc=0x9
`)
  const of = (one: string, seven: string): [number, number[]] => {
    const goroutines = [
      { ...first, state: one },
      { ...second, state: seven, createdBy: undefined },
    ]
    const death = { message: 'SIGQUIT: quit', pc: '0x9', signalCode: 0 }
    const { moved, misses } = compare(going, { goroutines, death } as unknown as Report)
    return [moved, misses.flatMap(miss => miss.goroutine ?? [])]
  }
  assert.deepEqual(of('running', 'runnable'), [0, []])
  assert.deepEqual(of('runnable', 'running'), [2, []])
  assert.deepEqual(of('running', 'select'), [1, []])
})

test('percent() never rounds up to 100', () => {
  assert.equal(percent(999_999, 1_000_000), '99.99 %')
  assert.equal(percent(7, 7), '100 %')
})
