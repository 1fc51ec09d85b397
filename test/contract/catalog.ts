/** What every Catalog must do, whatever database is below it. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Catalog, CrashFilter, CrashRow, CrashText } from '../../src/catalog/catalog.ts'

/** A whole row; each test names only what it is about. */
export function row(over: Partial<CrashRow> & { id: string }): CrashRow {
  return {
    day: '2026/11/22',
    time: Date.UTC(2026, 10, 22, 3, 14),
    host: 'node-1',
    pid: 4121,
    uid: 33,
    comm: 'api',
    exe: '/srv/api/api-server',
    signal: 6,
    signalName: 'SIGABRT',
    coreState: 'complete',
    coreReason: null,
    rawSize: 212_000_000,
    storedSize: 3_100_000,
    expectedSize: 212_000_000,
    heldMs: 210.5,
    pinned: false,
    held: false,
    shrunk: false,
    analysis: 'done',
    analysisError: null,
    goVersion: 'go1.26.8',
    programVersion: 'v1.4.2',
    deathKind: 'panic',
    cause: 'panic: assignment to entry in nil map',
    causeAt: 'cache.go:41',
    signatureKey: 'k1',
    signatureText: 'panic assignment main.(*cache).put',
    goroutines: 48,
    ...over,
  }
}

const text = (message: string, frames = ''): CrashText => ({ message, frames })

export function catalogContract(name: string, open: () => Catalog): void {
  describe(`${name} keeps the catalog's contract:`, () => {
    const filled = (rows: [CrashRow, CrashText?][]): Catalog => {
      const catalog = open()
      for (const [one, words] of rows) catalog.put(one, words)
      return catalog
    }
    const idsOf = (rows: CrashRow[]): string => rows.map(({ id }) => id).join(' ')

    it('put() and get() keep every field', () => {
      const whole = row({ id: 'aaaa' })
      const bare = row({
        ...{ id: 'bbbb', exe: '', coreState: 'none', coreReason: 'rlimit', expectedSize: null, pinned: true },
        ...{ analysis: 'none', goVersion: null, programVersion: null, deathKind: null, cause: null },
        ...{ causeAt: null, signatureKey: null, signatureText: null, goroutines: null },
      })
      const catalog = filled([[whole], [bare]])
      assert.deepEqual(catalog.get('aaaa'), whole)
      assert.deepEqual(catalog.get('bbbb'), bare)
      assert.equal(catalog.get('cccc'), undefined)
      catalog.close()
    })

    it('put() replaces by id, with the text or leaving it', () => {
      const catalog = filled([[row({ id: 'aaaa' }), text('alpha')]])
      catalog.put(row({ id: 'aaaa', pinned: true }))
      assert.equal(catalog.list({}).length, 1)
      assert.equal(catalog.get('aaaa')!.pinned, true)
      assert.equal(idsOf(catalog.search('alpha', {})), 'aaaa')
      catalog.put(row({ id: 'aaaa' }), text('beta'))
      assert.equal(idsOf(catalog.search('alpha', {})), '')
      assert.equal(idsOf(catalog.search('beta', {})), 'aaaa')
      catalog.close()
    })

    it('remove() takes the row and its text', () => {
      const catalog = filled([
        [row({ id: 'aaaa' }), text('alpha')],
        [row({ id: 'bbbb' }), text('alpha')],
      ])
      catalog.remove('aaaa')
      catalog.remove('zzzz')
      assert.equal(idsOf(catalog.list({})), 'bbbb')
      assert.equal(idsOf(catalog.search('alpha', {})), 'bbbb')
      catalog.close()
    })

    it('list() is newest first, ids deciding between equal times; reverse and limit', () => {
      const catalog = filled([
        [row({ id: 'aaaa', time: 5 })],
        [row({ id: 'bbbb', time: 9 })],
        [row({ id: 'cccc', time: 5 })],
        [row({ id: 'dddd', time: 1 })],
      ])
      assert.equal(idsOf(catalog.list({})), 'bbbb cccc aaaa dddd')
      assert.equal(idsOf(catalog.list({ limit: 2 })), 'bbbb cccc')
      assert.equal(idsOf(catalog.list({ reverse: true, limit: 3 })), 'dddd aaaa cccc')
      assert.equal(catalog.latest()!.id, 'bbbb')
      catalog.close()
    })

    const filters: [filter: CrashFilter, ids: string][] = [
      [{}, 'dddd cccc bbbb aaaa'],
      [{ since: 2000 }, 'dddd cccc bbbb'],
      [{ until: 2000 }, 'bbbb aaaa'],
      [{ since: 2000, until: 3000 }, 'cccc bbbb'],
      [{ exe: 'api' }, 'bbbb aaaa'],
      [{ exe: '/srv/api/' }, 'aaaa'],
      [{ exe: 'api-*' }, 'aaaa'],
      [{ exe: '*api*' }, 'bbbb aaaa'],
      [{ exe: '/opt/*' }, 'dddd bbbb'],
      [{ exe: 'worker' }, 'cccc'],
      [{ exe: 'a?i' }, ''],
      [{ exe: 'odd[1]*' }, 'dddd'],
      [{ exe: '%' }, ''],
      [{ pid: 7 }, 'cccc'],
      [{ uid: 0 }, 'dddd'],
      [{ signal: 11 }, 'dddd bbbb'],
      [{ host: 'node-2' }, 'dddd'],
      [{ host: 'node-*' }, 'dddd cccc bbbb aaaa'],
      [{ go: '1.2' }, 'bbbb'],
      [{ go: '1.26' }, 'dddd aaaa'],
      [{ go: 'go1.26.8' }, 'aaaa'],
      [{ go: '1' }, 'dddd bbbb aaaa'],
      [{ go: '1.26.' }, 'dddd aaaa'],
      [{ signature: 'k1' }, 'bbbb aaaa'],
      [{ signature: 'k' }, 'dddd bbbb aaaa'],
      [{ text: 'nil map' }, 'aaaa'],
      [{ text: 'cache.put' }, 'bbbb aaaa'],
      [{ pinned: true }, 'bbbb'],
      [{ pinned: false, limit: 1 }, 'dddd'],
      [{ analysis: 'failed' }, 'cccc'],
      [{ signal: 11, host: 'node-1' }, 'bbbb'],
    ]
    for (const [filter, ids] of filters)
      it(`list(${JSON.stringify(filter)}) is [${ids}]`, () => {
        const catalog = filled([
          [
            row({ id: 'aaaa', time: 1000 }),
            text('assignment to entry in nil map', 'main.(*cache).put\ncache.go:41'),
          ],
          [
            row({ id: 'bbbb', time: 2000, exe: '/opt/api', signal: 11, goVersion: 'go1.2.2', pinned: true }),
            text('map of nothing', 'main.(*cache).put'),
          ],
          [
            row({
              ...{ id: 'cccc', time: 3000, exe: '', comm: 'worker 1', pid: 7, goVersion: null },
              ...{ signatureKey: null, signatureText: null, analysis: 'failed', analysisError: 'timeout' },
            }),
          ],
          [
            row({
              ...{
                id: 'dddd',
                time: 4000,
                exe: '/opt/odd[1]',
                comm: 'odd',
                uid: 0,
                signal: 11,
                host: 'node-2',
              },
              ...{ goVersion: 'go1.26rc1', signatureKey: 'k2' },
            }),
          ],
        ])
        assert.equal(idsOf(catalog.list(filter)), ids)
        catalog.close()
      })

    it('byPrefix() finds ids that begin so, newest first, at most so many', () => {
      const catalog = filled([
        [row({ id: 'abaa', time: 1 })],
        [row({ id: 'abzz', time: 3 })],
        [row({ id: 'ab22', time: 2 })],
        [row({ id: 'acaa', time: 9 })],
      ])
      assert.equal(idsOf(catalog.byPrefix('ab', 10)), 'abzz ab22 abaa')
      assert.equal(idsOf(catalog.byPrefix('ab', 2)), 'abzz ab22')
      assert.equal(idsOf(catalog.byPrefix('abaa', 2)), 'abaa')
      assert.equal(idsOf(catalog.byPrefix('', 1)), 'acaa')
      assert.equal(idsOf(catalog.byPrefix('x', 1)), '')
      catalog.close()
    })

    const searches: [words: string, ids: string][] = [
      ['deadlock', 'bbbb'],
      ['DEADLOCK', 'bbbb'],
      ['dead', 'bbbb'],
      ['mapassign_fast', 'aaaa'],
      ['main.(*cache).put', 'aaaa'],
      ['cache.go:41', 'aaaa'],
      ['"all goroutines"', 'bbbb'],
      ['"goroutines all"', ''],
      ['goroutines all', 'bbbb'],
      ['größe', 'bbbb'],
      ['main', 'bbbb aaaa'],
      ['main NOT deadlock', ''],
      ['"', ''],
      ['( ) *', ''],
      ['message:x', ''],
      ["'; DROP TABLE crash", ''],
    ]
    for (const [words, ids] of searches)
      it(`search(${words}) is [${ids}]`, () => {
        const catalog = filled([
          [
            row({ id: 'aaaa', time: 1 }),
            text('nil map', 'runtime.mapassign_faststr\nmain.(*cache).put cache.go:41'),
          ],
          [row({ id: 'bbbb', time: 2 }), text('all goroutines are asleep - deadlock! Größe', 'main.main')],
        ])
        assert.equal(idsOf(catalog.search(words, {})), ids)
        catalog.close()
      })

    it('takes any words and filters without complaint', () => {
      const catalog = filled([[row({ id: 'aaaa' }), text('nil map', 'main.main')]])
      const any = fc.oneof(
        fc.string(),
        fc.string({ unit: 'binary' }),
        fc.constantFrom('"', '*', 'a"b', '-x', 'NEAR(a b)'),
      )
      fc.assert(
        fc.property(any, words => {
          for (const filter of [
            { text: words },
            { exe: words },
            { host: words },
            { go: words },
            { signature: words },
          ])
            assert.ok(catalog.list(filter).length <= 1)
          assert.ok(catalog.search(words, {}).length <= 1)
          assert.ok(catalog.byPrefix(words, 5).length <= 1)
        }),
      )
      catalog.close()
    })

    it('search() obeys the filter and shows where the words stand', () => {
      const catalog = filled([
        [row({ id: 'aaaa', time: 1, host: 'a' }), text('x', `${'f.f\n'.repeat(50)}main.needle needle.go:7`)],
        [row({ id: 'bbbb', time: 2, host: 'b' }), text('needle')],
      ])
      const found = catalog.search('needle', { host: 'a' })
      assert.equal(idsOf(found), 'aaaa')
      assert.match(found[0]!.snippet, /main\.needle needle\.go:7/)
      assert.ok(found[0]!.snippet.length < 120)
      assert.equal(idsOf(catalog.search('needle', { limit: 1 })), 'bbbb')
      assert.equal(idsOf(catalog.search('needle', { text: 'main' })), 'aaaa')
      catalog.close()
    })

    it('top() counts by signature', () => {
      const catalog = filled([
        [row({ id: 'aaaa', time: 10, signatureText: 'old text' })],
        [row({ id: 'bbbb', time: 30, host: 'node-2', exe: '/x/b', signatureText: 'new text' })],
        [row({ id: 'cccc', time: 20, signatureKey: 'k2', signatureText: 'other' })],
        [row({ id: 'dddd', time: 40, signatureKey: null, signatureText: null })],
      ])
      const k1 = {
        ...{ key: 'k1', text: 'new text', count: 2, first: 10, last: 30, hosts: 2 },
        ...{ programs: ['api-server', 'b'], latestId: 'bbbb' },
      }
      const k2 = {
        ...{ key: 'k2', text: 'other', count: 1, first: 20, last: 20, hosts: 1 },
        ...{ programs: ['api-server'], latestId: 'cccc' },
      }
      assert.deepEqual(catalog.top({}), [k1, k2])
      assert.deepEqual(catalog.top({ limit: 1 }), [k1])
      assert.deepEqual(catalog.top({ since: 15, until: 25 }), [k2])
      catalog.close()
    })

    it('pending() is what waits for an analysis, newest first', () => {
      const catalog = filled([
        [row({ id: 'aaaa', time: 1, analysis: 'pending' })],
        [row({ id: 'bbbb', time: 2, analysis: 'pending' })],
        [row({ id: 'cccc', time: 3 })],
      ])
      assert.equal(idsOf(catalog.pending(5)), 'bbbb aaaa')
      assert.equal(idsOf(catalog.pending(1)), 'bbbb')
      catalog.close()
    })

    it('days() and ids() give all, newest day first', () => {
      const catalog = filled([
        [row({ id: 'bbbb', day: '2026/11/21' })],
        [row({ id: 'aaaa', day: '2026/11/22' })],
        [row({ id: 'dddd', day: '2026/11/21' })],
        [row({ id: 'cccc', day: '2025/12/31' })],
      ])
      assert.deepEqual(catalog.days(), ['2026/11/22', '2026/11/21', '2025/12/31'])
      assert.deepEqual(catalog.ids('2026/11/21'), ['bbbb', 'dddd'])
      assert.deepEqual(catalog.ids('2026/11/20'), [])
      catalog.clear()
      assert.deepEqual(catalog.days(), [])
      catalog.close()
    })

    it('transaction() keeps all or nothing, also nested', () => {
      const catalog = open()
      const failing = (): void => {
        catalog.put(row({ id: 'bbbb' }))
        throw new Error('no')
      }
      catalog.transaction(() => {
        catalog.put(row({ id: 'aaaa' }))
        assert.throws(() => catalog.transaction(failing), /^Error: no$/)
      })
      assert.throws(() => catalog.transaction(failing), /^Error: no$/)
      assert.equal(idsOf(catalog.list({})), 'aaaa')
      assert.equal(
        catalog.transaction(() => 7),
        7,
      )
      catalog.close()
    })

    it('clear() empties it and leaves it usable', () => {
      const catalog = filled([[row({ id: 'aaaa' }), text('alpha')]])
      catalog.clear()
      assert.deepEqual(catalog.list({}), [])
      assert.deepEqual(catalog.search('alpha', {}), [])
      catalog.put(row({ id: 'bbbb' }), text('alpha'))
      assert.equal(idsOf(catalog.search('alpha', {})), 'bbbb')
      assert.deepEqual(catalog.check(), [])
      catalog.close()
    })
  })
}
