/* name.h - what a running program is called: `neap status NAME` finds it.
 *
 * A name is neither a path nor a number, so that it cannot be taken for a file
 * or a PID; and it can be shown on one line. */
#ifndef CLI_NAME_H
#define CLI_NAME_H

enum { NAME_MOST = 64 }; /* bytes */

/* NULL, or why this is no name: "is empty". */
const char *name_problem(const char *name);
/* The script's file name without directory and ".lua", as far as it can be
 * shown. (One that is a number is found by its PID alone.) */
void name_of_script(const char *path, char name[NAME_MOST + 1]);

#endif
