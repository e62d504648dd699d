/* help.h - what the program says about itself. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

void help_print(void);
void help_print_version(void);

#endif
