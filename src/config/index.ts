export { formatConfig, formatDefaultConfig } from './format.ts'
export { type GateLimits, gateDirectory, gateLimits } from './gate.ts'
export { keys } from './keys.ts'
export { loadConfig, loadConfigOrDefaults, parseConfig } from './load.ts'
export {
  type Config,
  defaultConfig,
  defaultConfigPath,
  type HookEvent,
  type Hooks,
  keepFreeBytes,
  type LogLevel,
  outboxOf,
  spoolRoot,
} from './schema.ts'
export { formatDuration, formatShare, formatSize, parseDuration, parseSize } from './units.ts'
