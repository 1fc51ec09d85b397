/** Where the daemon's configuration comes from, at its start and when it is read again. */
import { type Config, loadConfig } from '../config/index.ts'

export interface ConfigSource {
  /** The file; the default one where it is absent. */
  readonly configPath?: string | undefined
  /** The archive's directory, over what the file says. */
  readonly archive?: string | undefined
}

export function readConfig({ configPath, archive }: ConfigSource): Config {
  const config = loadConfig(configPath)
  return archive === undefined ? config : { ...config, archive }
}
