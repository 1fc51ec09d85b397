/** `config`: the debugger's settings, which last. */
import { changeSetting, defaultSettings, settingKey, settingKeys, settingName } from '../debug/settings.ts'
import { keepSettings, keptSettings, settingsFile } from '../debug/settings-file.ts'
import { define } from '../define.ts'
import { type JsonArgs, jsonOption } from '../options.ts'
import { jsonObject } from '../render/json.ts'
import { writeLines } from '../render/output.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('config')

export const builder = define({
  positionals: {
    setting: { describe: 'which; without it, all are shown', offers: settingKeys.map(settingName) },
    value: { describe: 'what it is from now on; without it, it is shown' },
  },
  options: {
    reset: { type: 'boolean', describe: 'all as they were at first' },
    ...jsonOption,
  },
  examples: [
    ['gocore-sink config', 'all of them'],
    ['gocore-sink config max-string-len 200', 'longer texts, in print, locals, debug and the like'],
  ],
})

interface Args extends JsonArgs {
  setting?: string
  value?: string
  reset?: boolean
}

export async function handler({ setting, value, reset, json }: Args): Promise<void> {
  const { settingsAnswer } = await import('../debug/commands/session.ts')
  if (reset) keepSettings(defaultSettings)
  const settings = { ...defaultSettings, ...keptSettings() }
  if (setting !== undefined && value !== undefined)
    return keepSettings(changeSetting(settings, setting, value))
  const answer = settingsAnswer(settings, setting === undefined ? undefined : [settingKey(setting)])
  if (!json) return writeLines(1, answer.lines())
  const document = { schema: 'gocore-settings', version: 1, file: settingsFile(), ...answer.data?.() }
  writeLines(1, jsonObject(document))
}
