/** The settings that `config -save` keeps: a JSON object in the user's own configuration. */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { writeFileAtomic } from '../../base/atomic-file.ts'
import { makePath } from '../../base/directory.ts'
import { changeSetting, defaultSettings, type Settings, settingKeys, settingName } from './settings.ts'

export const settingsFile = (env: NodeJS.ProcessEnv = process.env): string =>
  join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'gocore-sink/debug.json')

/** Those that were kept and are sound; a file that is none has none. */
export function keptSettings(file: string = settingsFile()): Partial<Settings> {
  let held: unknown
  try {
    held = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return {}
  }
  if (typeof held !== 'object' || held === null) return {}
  let settings = defaultSettings
  for (const [name, value] of Object.entries(held))
    try {
      settings = changeSetting(settings, name, String(value))
    } catch {
      // Of another version, or a slip of the pen: the others are as good as they were.
    }
  return settings
}

/** Writes those that are not as at first. */
export function keepSettings(settings: Settings, file: string = settingsFile()): void {
  const changed = settingKeys.filter(key => settings[key] !== defaultSettings[key])
  const text = JSON.stringify(
    Object.fromEntries(changed.map(key => [settingName(key), settings[key]])),
    null,
    2,
  )
  makePath(dirname(file), 0o700)
  writeFileAtomic(file, `${text}\n`, { mode: 0o600 })
}
