import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTraceback } from '../support/traceback.ts'

const panicked = `out of the program
panic: too much [recovered, repanicked]
	panic: more
[signal SIGSEGV: segmentation violation code=0x1 addr=0x18 pc=0x47a744]

goroutine 1 gp=0xc0000021c0 m=0 mp=0x5268e0 [running, locked to thread]:
panic({0x483840?, 0x521d40?})
	/go/src/runtime/panic.go:879 +0x16f fp=0xc000044ea0 sp=0xc000044df0 pc=0x471ecf
main.(*list[...]).each(0x411dfd?, {0x1, 0x2, ...})
	/src/a b/main.go:41 +0x8e fp=0xc000044ed8 sp=0xc000044e58 pc=0x47b06e
main.(*list[...]).head(...)
	/src/a b/main.go:12
runtime.goexit({})
	/go/src/runtime/asm_amd64.s:1771 fp=0xc000044fe8 sp=0xc000044fe0 pc=0x477540

goroutine 18 gp=0xc000003000 m=nil [chan receive (nil chan), 3 minutes] {step: "a b"}:
main.work()
	/src/main.go:7 +0x1 fp=0x2 sp=0x1 pc=0x9
...96 frames elided...
main.top(0x1)
	/src/main.go:8 +0x1 fp=0x2 sp=0x1 pc=0x9
created by main.main in goroutine 1
	/src/main.go:9 +0x1a

goroutine 19 gp=0xc000003200 m=3 mp=0xc0000080 [running]:
	goroutine running on other thread; stack unavailable
created by main.(*pool).start.func1
	/src/main.go:19 +0x2a
`

test('parseTraceback() reads headers, frames and creators', () => {
  const { preamble, goroutines } = parseTraceback(panicked)
  assert.deepEqual(preamble.slice(0, 3), [
    'out of the program',
    'panic: too much [recovered, repanicked]',
    '\tpanic: more',
  ])
  const [first, second, third] = [1, 18, 19].map(id => goroutines.get(id)!)
  assert.equal(first!.state, 'running, locked to thread')
  assert.deepEqual(
    first!.frames.map(f => [f.function, f.args, f.file, f.line, f.offset, f.inlined]),
    [
      ['panic', '{0x483840?, 0x521d40?}', '/go/src/runtime/panic.go', 879, 0x16f, false],
      ['main.(*list[...]).each', '0x411dfd?, {0x1, 0x2, ...}', '/src/a b/main.go', 41, 0x8e, false],
      ['main.(*list[...]).head', '...', '/src/a b/main.go', 12, undefined, true],
      ['runtime.goexit', '{}', '/go/src/runtime/asm_amd64.s', 1771, 0, false],
    ],
  )
  assert.equal(second!.state, 'chan receive (nil chan), 3 minutes')
  assert.equal(second!.labels, 'step: "a b"')
  assert.deepEqual(second!.elided, { after: 1, count: 96 })
  assert.deepEqual(second!.createdBy, {
    function: 'main.main',
    file: '/src/main.go',
    line: 9,
    offset: 0x1a,
    goroutine: 1,
  })
  assert.equal(third!.unavailable, true)
  assert.equal(third!.createdBy!.function, 'main.(*pool).start.func1')
})

test('parseTraceback() keeps the stack that a thread prints later, and the stacks of threads', () => {
  const { goroutines, threads } = parseTraceback(`SIGQUIT: quit
PC=0x1 m=0 sigcode=0

goroutine 0 [idle]:
runtime.futex()
	/go/src/runtime/sys.s:557 +0x21 fp=0x3 sp=0x2 pc=0x1

goroutine 5 [running]:
	goroutine running on other thread; stack unavailable
created by main.main
	/src/main.go:9 +0x1a

rax    0xca
rip    0x1

-----

SIGQUIT: quit
PC=0x9 m=3 sigcode=18446744073709551610

goroutine 5 [running]:
main.spin(0x7)
	/src/main.go:7 +0x1 fp=0x2 sp=0x1 pc=0x9
rax    0xca
`)
  assert.equal(goroutines.get(5)!.unavailable, false)
  assert.deepEqual(
    goroutines.get(5)!.frames.map(f => f.function),
    ['main.spin'],
  )
  assert.deepEqual(goroutines.get(5)!.notes, [])
  assert.equal(goroutines.get(5)!.createdBy?.function, undefined)
  assert.equal(threads.length, 1)
  assert.equal(threads[0]!.frames[0]!.function, 'runtime.futex')
})

test('parseTraceback() makes nothing of other text', () => {
  const { preamble, goroutines } = parseTraceback('goroutine 7 [running]\nhello\n')
  assert.equal(goroutines.size, 0)
  assert.deepEqual(preamble, ['goroutine 7 [running]', 'hello', ''])
})
