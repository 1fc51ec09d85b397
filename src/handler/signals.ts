/** Names of signals: those of signal(7) for the common architectures of Linux. */
import { constants } from 'node:os'

export function signalName(number: number): string {
  for (const [name, value] of Object.entries(constants.signals)) {
    // Aliases: the names that the Go runtime and kill(1) print.
    if (value === number && name !== 'SIGIOT' && name !== 'SIGPOLL' && name !== 'SIGUNUSED') return name
  }
  // The real-time signals; 34 is the first that the C library leaves to programs.
  return number >= 34 && number <= 64 ? `SIGRTMIN+${number - 34}` : `signal ${number}`
}
