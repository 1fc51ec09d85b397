import assert from 'node:assert/strict'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openLog } from '../../src/daemon/log.ts'
import { testArchive } from './archive.ts'

function lines(journal: boolean, say: (log: ReturnType<typeof openLog>) => void): string[] {
  using archive = testArchive()
  const path = join(archive.directory, 'log')
  const fd = openSync(path, 'w')
  say(openLog('info', { fd, journal }))
  closeSync(fd)
  return readFileSync(path, 'utf8').split('\n').slice(0, -1)
}

describe('openLog()', () => {
  it('gives the journal its priorities, and leaves out what is below the level', () => {
    const said = lines(true, log => {
      log.debug('d')
      log.info('i')
      log.warning('w')
      log.level = 'error'
      log.warning('x')
      log.error('e')
    })
    assert.deepEqual(said, ['<6>i', '<4>w', '<3>e'])
  })

  it('gives a person the time, and a dump no line of its own', () => {
    const [line, ...more] = lines(false, log => log.info('comm is a\n<0>forged \x1b[31m'))
    assert.match(line!, /^\d{4}-\d\d-\d\dT[\d:.]+Z info: comm is a\\x0a<0>forged \\x1b\[31m$/)
    assert.deepEqual(more, [])
  })
})
