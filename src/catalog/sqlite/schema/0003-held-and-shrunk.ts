/** What a manifest says of holds and mini-cores; of a catalog that is older the next scan finds out. */
export const heldAndShrunk = `
ALTER TABLE crash ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
ALTER TABLE crash ADD COLUMN shrunk INTEGER NOT NULL DEFAULT 0;
`
