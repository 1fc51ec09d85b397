import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import {
  type Config,
  defaultConfig,
  formatConfig,
  formatDefaultConfig,
  parseConfig,
} from '../../src/config/index.ts'
import { keys } from '../../src/config/keys.ts'

const readBack = (text: string): Config => {
  const { config, problems } = parseConfig(text, 'f')
  assert.deepEqual(problems, [])
  return config
}

describe('formatConfig()', () => {
  it('of the defaults assigns nothing, and uncommented says the same', () => {
    const text = formatDefaultConfig()
    assert.ok(text.split('\n').every(line => line === '' || line.startsWith('#')))
    const assigned = text.replace(/^#Environ=/m, 'Environ=\n#Environ=').replace(/^#(?=\w+=)/gm, '')
    assert.deepEqual(readBack(assigned), defaultConfig())
  })

  it('assigns what differs, and reads back the same', () => {
    const config: Config = {
      ...defaultConfig(),
      ...{
        archive: '/mnt/cores',
        group: 'gocore',
        coreMax: 2 ** 33,
        environ: ['A', 'B_*'],
        rlimitZero: 'store',
      },
      retention: {
        ...{ maxAge: null, maxSize: 2 ** 40, keepFree: null, cron: '0 4 * * *' },
        ...{ keepFirst: 0, keepLatest: 1, shrinkAfter: null, programMaxSize: 2 ** 30, programMaxCount: 100 },
      },
      analysis: { ...defaultConfig().analysis, timeout: 90, user: '' },
    }
    const text = formatConfig(config)
    assert.deepEqual(readBack(text), config)
    assert.match(text, /^ArchiveDirectory=\/mnt\/cores$/m)
    assert.match(text, /^#LogLevel=info$/m)
    assert.deepEqual(readBack(formatConfig({ ...config, environ: [] })).environ, [])
  })
})

describe('gocore-sink.conf(5)', () => {
  const page = readFileSync(new URL('../../man/gocore-sink.conf.5', import.meta.url), 'utf8')

  it('has a paragraph for each key and no other', () => {
    const documented = [...page.matchAll(/^\.TP\n\.B (\w+)=$/gm)].map(match => match[1])
    assert.deepEqual(
      documented,
      keys.map(({ name }) => name),
    )
  })

  for (const { name, write, list } of keys)
    it(`states the default of ${name}`, () => {
      const paragraph = page.split(/^\.TP\n/m).find(text => text.startsWith(`.B ${name}=`))!
      const value = write(defaultConfig())
      const stated = /^Default: \\fB(.+)\\fR\.$/m.exec(paragraph)?.[1]?.replaceAll('\\-', '-')
      if (value === '') assert.match(paragraph, /^Default: empty\.$/m)
      else if (list) {
        const shown = paragraph.replaceAll('\\-', '-').replaceAll('\\(dq', '"')
        for (const word of value.split(' ')) assert.ok(shown.includes(word), word)
      } else assert.equal(stated, value)
    })
})
