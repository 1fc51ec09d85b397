/* A library with a thread-local variable and a static one of its own. */
__thread long shared_own = 5;
static struct { int state; const char *word; } library_state = {3, "of the library"};

int library_value(int n) { return n + library_state.state; }
