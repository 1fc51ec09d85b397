/* Values of every kind that C has, in globals, statics, thread-local variables, arguments and locals; then abort(). */
#include <complex.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long word;
typedef word longword;
typedef int (*handler)(int, const char *);
enum color { RED, GREEN = 5, BLUE = -1 };
enum flags { READ = 1, WRITE = 2, RUN = 4 };
enum wide { FAR = 0x7fffffffffffffff };
union both { int i; float f; unsigned char c[8]; };
struct bits { unsigned a : 3; unsigned b : 7; int c : 12; unsigned long d : 40; bool e : 1; enum color f : 5; };
struct __attribute__((packed)) packed { char c; long l; short s; };
struct node {
  struct node *next;
  const char *name;
  enum color color;
  union both both;
  struct bits bits;
  word matrix[2][3];
  handler fn;
  struct { int x, y; } inner;
  union { long whole; struct { int low, high; }; };
};
struct text { size_t length; char bytes[]; };
struct ops { int (*open)(int, const char *); void (*close)(void); int (*table[3])(int, const char *); };
struct lists { struct list { struct list *next; int v; } head; struct lists *self; };

static int twice(int v, const char *s) { return v * 2 + (int)strlen(s); }
static void shut(void) { pause(); }

struct node second = {0, "second", BLUE, {.i = -1}, {7, 127, -2048, 1099511627775UL, true, BLUE}, {{9}}, 0, {-1, -2}, {.whole = -1}};
struct node first = {&second, "first", GREEN, {.f = 2.5f}, {1, 100, -7, 123456789012UL, false, GREEN},
  {{1, 2, 3}, {4, 5, 6}}, twice, {7, 8}, {.low = 3, .high = -4}};
struct ops ops = {twice, shut, {twice, 0, twice}};
struct packed squeezed = {'p', -5000000000, -3};
struct { size_t length; char bytes[8]; } flexible = {5, "hello"};
struct text *flexed = (struct text *)&flexible;
struct lists lists = {{&lists.head, 3}, &lists};
static int counter = 42;
volatile const double ratio = 0.1;
float single = -3.25f;
long double extended = 1.5L;
double complex turned = 1.5 - 2.5 * I;
float complex small = -1.0f + 0.5f * I;
__int128 huge = (__int128)-1 << 70;
unsigned __int128 large = ((unsigned __int128)1 << 100) + 7;
bool yes = true;
_Atomic long atomic = 77;
signed char narrow = -100;
unsigned char octets[4] = {0, 1, 127, 255};
char greeting[16] = "hi\tthere\"\\";
char unended[3] = {'a', 'b', 'c'};
wchar_t wide_text[4] = L"\u00e9ab";
int16_t cube[2][3][4] = {{{1, 2, 3, 4}, {5}}, {{-1}, {0, -2}, {0, 0, 0, 9}}};
const char *const names[] = {"one", "two", 0};
enum flags both_flags = READ | RUN, no_flags = 0, odd_flags = 9;
enum color unknown_color = 3;
enum wide far = FAR;
longword chained = 0xffffffffffffffff;
void *anything = &counter;
handler callback = twice;
handler *callbacks = &callback;
handler offset_callback;
int (*rows)[4] = cube[0][0] ? (int (*)[4])cube : 0;
struct node *list[2] = {&first, &second};
double floats[3] = {1e300, -0.0, 1.0 / 3};
__thread int own = 1;
static __thread char label[8] = "none";
extern __thread long shared_own;
extern int library_value(int);

static pthread_barrier_t both_are_ready;

static void *idle(void *unused) {
  own = 2, shared_own = 20;
  strcpy(label, "idle");
  pthread_barrier_wait(&both_are_ready);
  pause();
  return unused;
}

static inline __attribute__((always_inline)) int inner(const struct node *node, int k) {
  int local = k * 3;
  if (node->next) local += counter;
  if (local > 0) abort();
  return local;
}

static inline __attribute__((always_inline)) int outer(const struct node *node, volatile int *seen) {
  int sum = inner(node, *seen + 1);
  return sum + node->inner.x;
}

__attribute__((noinline)) int deep(const struct node *node, char letter, double real, struct bits bits,
  unsigned long long big, bool flag, float f, enum color color, short last) {
  static int calls;
  volatile int seen = ++calls;
  char buffer[4 + seen];
  struct node copy = *node;
  memset(buffer, letter, sizeof buffer);
  if (seen) {
    volatile int seen = -7;
    copy.inner.x += seen;
    int r = outer(node, &seen + 0) + outer(&copy, (volatile int *)&calls);
    return r + bits.a + (int)big + flag + (int)f + color + last + buffer[1] + (int)real;
  }
  return copy.inner.y;
}

__attribute__((noinline)) int middle(struct node *node, int n, union both by_value, struct packed squeezed) {
  float __attribute__((unused)) half = (float)n / 2;
  int result = deep(node, 'z', ratio, node->bits, 1ULL << 40, true, 1.25f, GREEN, -9) + n;
  return result + by_value.i + (int)squeezed.l;
}

int main(int argc, char **argv) {
  pthread_t thread;
  offset_callback = (handler)((char *)twice + 1);
  extended /= 3, own = 7, shared_own = 70 + library_value(argc);
  memcpy(label, "main", 5);
  pthread_barrier_init(&both_are_ready, NULL, 2);
  pthread_create(&thread, NULL, idle, NULL);
  pthread_barrier_wait(&both_are_ready);
  return middle(&first, argc + 2, first.both, squeezed) + (argv == NULL);
}
