/** A handler that takes no core: one for SIGQUIT stands still, one for SIGABRT gets on, and any other ends at once. */
import { shieldSelf } from '../../src/handler/self.ts'
import { Ticket } from '../../src/handler/ticket.ts'

const args = process.argv.slice(2)
const ticket = new Ticket(args[args.indexOf('--ticket') + 1])
const signal = args[args.indexOf('--') + 4]
shieldSelf(false)
if (signal === '3') setInterval(() => {}, 1000)
else if (signal === '6') setInterval(() => ticket.beat(), 20)
else ticket[Symbol.dispose]()
