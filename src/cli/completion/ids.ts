/**
 * How every script lists ids: it asks `ls`, with the archive and configuration that the line being completed names.
 * The text is for sh and zsh alike; fish has its own.
 */
export const askForIds = 'ls --quiet --limit 100 2>/dev/null'
