/** What the launcher is told of the configuration, which a shell could not read in the time that it has. */
import { join } from 'node:path'
import type { Config } from './schema.ts'

export interface GateLimits {
  /** Handlers at a time. */
  readonly most: number
  /** Seconds that a crash waits in line before it is given up. */
  readonly longest: number
}

export const gateDirectory = ({ run }: Pick<Config, 'run'>): string => join(run, 'gate')

export const gateLimits = ({
  capturesMax,
  capturesWait,
}: Pick<Config, 'capturesMax' | 'capturesWait'>): GateLimits => ({
  most: capturesMax,
  longest: Math.ceil(12 * capturesWait),
})
