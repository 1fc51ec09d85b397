/** The kernel's settings under /proc/sys/kernel, written so that what the kernel did with them is known. */
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs'
import { SystemError } from '../base/errors.ts'

const pathOf = (name: string, proc: string): string => `${proc}/sys/kernel/${name}`

/** The value without its line end, or undefined where this kernel has no such setting. */
export function readKernelSetting(name: string, proc = '/proc'): string | undefined {
  try {
    return readFileSync(pathOf(name, proc), 'latin1').replace(/\n$/, '')
  } catch {
    return undefined
  }
}

/**
 * Writes, reads back, compares, and puts the old value back where they differ: from 6.16.8 on the kernel takes a
 * core_pattern that it will not use, and a long one it cuts.
 */
export function writeKernelSetting(name: string, value: string, proc = '/proc'): void {
  const before = readKernelSetting(name, proc)
  write(name, value, proc)
  const after = readKernelSetting(name, proc)
  if (after === value) return
  if (before !== undefined) write(name, before, proc)
  throw new SystemError(
    `the kernel made ${JSON.stringify(after)} of ${name} = ${JSON.stringify(value)}; it has its former value again`,
  )
}

/** One write call: a sysctl takes each call as a whole value. */
function write(name: string, value: string, proc: string): void {
  // No O_CREAT: a kernel without the setting must say so.
  const fd = openSync(pathOf(name, proc), constants.O_WRONLY | constants.O_TRUNC)
  try {
    writeSync(fd, Buffer.from(`${value}\n`, 'latin1'))
  } finally {
    closeSync(fd)
  }
}
