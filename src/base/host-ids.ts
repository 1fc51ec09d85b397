/** By what a machine, and each of its boots, is known. */
import { readFileSync } from 'node:fs'

/** Another one with each boot (random(4)); undefined where the kernel does not tell. */
export const bootId = (): string | undefined => lineOf('/proc/sys/kernel/random/boot_id')

/** machine-id(5), which a copy of the machine's disk has, too; undefined in a container that has none. */
export const machineId = (): string | undefined => lineOf('/etc/machine-id')

function lineOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}
