/** Writes the configuration file that `install` puts down. */
import { keys } from './keys.ts'
import { type Config, defaultConfig } from './schema.ts'

/**
 * A file in which every key stands with its comment: commented out where `config` has the default, assigned where it
 * differs. Read back it gives `config`.
 */
export function formatConfig(config: Config): string {
  const defaults = defaultConfig()
  const lines = [
    '# Configuration of gocore-sink; see gocore-sink.conf(5).',
    '# Commented lines show the defaults.',
    '',
  ]
  for (const key of keys) {
    const value = key.write(config)
    lines.push(`# ${key.comment}`)
    if (value === key.write(defaults)) lines.push(`#${key.name}=${value}`)
    // A list adds to the defaults, so one that differs starts from empty.
    else lines.push(...(key.list && value !== '' ? [`${key.name}=`] : []), `${key.name}=${value}`)
    lines.push('')
  }
  return lines.join('\n')
}

export const formatDefaultConfig = (): string => formatConfig(defaultConfig())
