import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readKernelSetting, writeKernelSetting } from '../../src/install/kernel.ts'
import { longestPattern } from '../../src/install/pattern.ts'
import { takeCorePattern } from '../support/core-pattern.ts'

const needsRoot = process.geteuid?.() === 0 ? {} : { skip: 'needs root: sets core_pattern' }

test(
  'writeKernelSetting() writes the longest pattern, and puts the old one back where the kernel cut it',
  needsRoot,
  async () => {
    using pattern = await takeCorePattern()
    pattern.set('core.before')
    const longest = `|/${'x'.repeat(longestPattern - 2)}`
    writeKernelSetting('core_pattern', longest)
    assert.equal(readKernelSetting('core_pattern'), longest)
    writeKernelSetting('core_pattern', 'core.before')
    assert.throws(() => writeKernelSetting('core_pattern', `${longest}y`), /it has its former value again/)
    assert.equal(readKernelSetting('core_pattern'), 'core.before')
  },
)

test('writeKernelSetting() says so where there is no such setting', needsRoot, () => {
  assert.equal(readKernelSetting('no_such_setting'), undefined)
  assert.throws(() => writeKernelSetting('no_such_setting', '1'), /ENOENT|EACCES/)
})
