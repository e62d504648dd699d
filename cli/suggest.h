/* suggest.h - what somebody may have meant to type. */
#ifndef CLI_SUGGEST_H
#define CLI_SUGGEST_H

/* The name that is nearest to the word, or NULL if none is near; the list ends
 * with NULL. */
const char *suggest(const char *word, const char *const names[]);

#endif
