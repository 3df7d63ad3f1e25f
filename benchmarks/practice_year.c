/* PY-1 as an event loop in C: what a hand-written program for this workload alone can do.
 *
 * See practice_year_workload.py for the workload. Five clocks (next request, end at the reception, the nurse and
 * two GPs) are looked through for the earliest; tasks wait in four lists of a day. Random numbers: xoshiro256++ of
 * Blackman and Vigna, exponential and normal draws by ziggurat (Marsaglia and Tsang, 256 layers).
 *
 * cc -O3 -march=native -shared -fPIC practice_year.c -o practice_year.so -lm
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { DAYS = 250, PATIENTS = 2000, FREQUENT = 10, COLUMNS = 17, LAYERS = 256, MOST = 512 };
enum { NURSE_URGENT, NURSE_ROUTINE, GP_URGENT, GP_ROUTINE, LISTS };
enum { REQUEST, RECEPTION, NURSE, GP_A, GP_B, CLOCKS };
enum { REQUESTS, RECEPTION_WAIT, TASKS, WAIT = TASKS + 1, MINUTES = 10, OVERTIME = 13, FREQUENT_PATIENTS = 16 };

static const double OPEN = 600.0, GAP = 600.0 / 52.0, NEVER = 1e300;
static const double NURSE_SHARE = 0.35, URGENT_SHARE = 0.10, SUPERVISED_SHARE = 0.12;
static const double RECEPTION_MINUTES = 2.0, SUPERVISION_MINUTES = 3.0;
static double mu, sigma; /* of the logarithm of a clinical task */

/* ---- random numbers ---- */

typedef struct {
    uint64_t s[4];
} Random;

typedef struct {
    double x[LAYERS + 1], f[LAYERS + 1], ratio[LAYERS], tail;
} Ziggurat;

static Ziggurat exponential_layers, normal_layers;

static uint64_t rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

static inline uint64_t bits(Random *random) {
    uint64_t *s = random->s, result = rotate(s[0] + s[3], 23) + s[0], t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

static inline double fraction(uint64_t b) { return (double)(b >> 11) * 0x1p-53; }
static inline double uniform(Random *random) { return fraction(bits(random)); }

static Random seeded(uint64_t seed) {
    Random random;
    for (int i = 0; i < 4; i++) { /* SplitMix64 */
        uint64_t z = (seed += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        random.s[i] = z ^ (z >> 31);
    }
    return random;
}

static double exponential_density(double x) { return exp(-x); }
static double normal_density(double x) { return exp(-0.5 * x * x); }
static double exponential_inverse(double y) { return -log(y); }
static double normal_inverse(double y) { return sqrt(-2.0 * log(y)); }

/* Layers of equal area, the widest first; layer 0 is a rectangle and the tail. */
static void make_layers(Ziggurat *z, double tail, double area, double (*density)(double), double (*inverse)(double)) {
    z->tail = tail;
    z->x[0] = area / density(tail);
    z->x[1] = tail;
    for (int i = 2; i < LAYERS; i++) z->x[i] = inverse(density(z->x[i - 1]) + area / z->x[i - 1]);
    z->x[LAYERS] = 0.0;
    for (int i = 0; i <= LAYERS; i++) z->f[i] = density(z->x[i]);
    for (int i = 0; i < LAYERS; i++) z->ratio[i] = z->x[i + 1] / z->x[i];
}

static inline double exponential(Random *random) {
    const Ziggurat *z = &exponential_layers;
    for (;;) {
        uint64_t b = bits(random);
        int i = (int)(b & (LAYERS - 1));
        double u = fraction(b), x = u * z->x[i];
        if (u < z->ratio[i]) return x;
        if (i == 0) return z->tail - log(1.0 - uniform(random));
        if (z->f[i] + uniform(random) * (z->f[i + 1] - z->f[i]) < exponential_density(x)) return x;
    }
}

static double normal_tail(Random *random, double tail) {
    for (;;) {
        double x = -log(1.0 - uniform(random)) / tail, y = -log(1.0 - uniform(random));
        if (2.0 * y > x * x) return tail + x;
    }
}

static inline double normal(Random *random) {
    const Ziggurat *z = &normal_layers;
    for (;;) {
        uint64_t b = bits(random);
        int i = (int)(b & (LAYERS - 1));
        double u = fraction(b), x = u * z->x[i];
        if (u >= z->ratio[i]) {
            if (i == 0)
                x = normal_tail(random, z->tail);
            else if (z->f[i] + uniform(random) * (z->f[i + 1] - z->f[i]) >= normal_density(x))
                continue;
        }
        return b & LAYERS ? -x : x;
    }
}

/* ---- the practice ---- */

typedef struct {
    double arrival[MOST];
    uint8_t kind[MOST]; /* reception: list to go to; others: 1 for supervision */
    int head, tail;
} List;

typedef struct {
    Random random;
    double clock[CLOCKS];
    List desk, list[LISTS];
    int asked; /* list the patient at the reception goes to */
    int nursed; /* list of the task at the nurse */
    double *row;
} Practice;

static inline void put(List *list, double arrival, int kind) {
    list->arrival[list->tail] = arrival;
    list->kind[list->tail++] = (uint8_t)kind;
}

static inline int waiting(const List *list) { return list->head < list->tail; }

/* Start the head of a list: count its wait, its minutes and its overtime; occupy the clock. */
static inline void start(Practice *p, List *list, int clock, int role, double *wait, double now, double service) {
    double end = now + service, late = now > OPEN ? now : OPEN;
    *wait += now - list->arrival[list->head++];
    p->row[MINUTES + role] += service;
    if (end > late) p->row[OVERTIME + role] += end - late;
    p->clock[clock] = end;
}

static inline void try_reception(Practice *p, double now) {
    List *desk = &p->desk;
    if (p->clock[RECEPTION] < NEVER || !waiting(desk)) return;
    p->asked = desk->kind[desk->head];
    start(p, desk, RECEPTION, 0, &p->row[RECEPTION_WAIT], now, RECEPTION_MINUTES * exponential(&p->random));
}

static inline void try_clinician(Practice *p, int clock, int role, int urgent, double now) {
    if (p->clock[clock] < NEVER) return;
    int which = waiting(&p->list[urgent]) ? urgent : urgent + 1;
    List *list = &p->list[which];
    if (!waiting(list)) return;
    double service = list->kind[list->head] ? SUPERVISION_MINUTES * exponential(&p->random)
                                            : exp(mu + sigma * normal(&p->random));
    if (clock == NURSE) p->nursed = which;
    p->row[TASKS + 2 * which]++;
    start(p, list, clock, role, &p->row[WAIT + 2 * which], now, service);
}

static inline void try_gps(Practice *p, double now) {
    try_clinician(p, GP_A, 2, GP_URGENT, now);
    try_clinician(p, GP_B, 2, GP_URGENT, now);
}

static inline void request(Practice *p, uint8_t *contacts, double now) {
    uint64_t patient = ((bits(&p->random) >> 32) * PATIENTS) >> 32;
    int gp = uniform(&p->random) >= NURSE_SHARE, routine = uniform(&p->random) >= URGENT_SHARE;
    double next = now + GAP * exponential(&p->random);
    contacts[patient]++;
    p->row[REQUESTS]++;
    put(&p->desk, now, 2 * gp + routine);
    p->clock[REQUEST] = next < OPEN ? next : NEVER;
    try_reception(p, now);
}

static inline void asked(Practice *p, double now) {
    int which = p->asked;
    p->clock[RECEPTION] = NEVER;
    put(&p->list[which], now, 0);
    if (which < GP_URGENT)
        try_clinician(p, NURSE, 1, NURSE_URGENT, now);
    else
        try_gps(p, now);
    try_reception(p, now);
}

static inline void nursed(Practice *p, double now) {
    p->clock[NURSE] = NEVER;
    if (uniform(&p->random) < SUPERVISED_SHARE) {
        put(&p->list[GP_URGENT + p->nursed], now, 1);
        try_gps(p, now);
    }
    try_clinician(p, NURSE, 1, NURSE_URGENT, now);
}

static void day(Practice *p, uint8_t *contacts) {
    double first = GAP * exponential(&p->random);
    p->desk.head = p->desk.tail = 0;
    for (int i = 0; i < LISTS; i++) p->list[i].head = p->list[i].tail = 0;
    for (int i = 0; i < CLOCKS; i++) p->clock[i] = NEVER;
    if (first < OPEN) p->clock[REQUEST] = first;
    for (;;) {
        int event = REQUEST;
        for (int i = 1; i < CLOCKS; i++)
            if (p->clock[i] < p->clock[event]) event = i;
        double now = p->clock[event];
        if (now == NEVER) return;
        if (event == REQUEST)
            request(p, contacts, now);
        else if (event == RECEPTION)
            asked(p, now);
        else if (event == NURSE)
            nursed(p, now);
        else {
            p->clock[event] = NEVER;
            try_clinician(p, event, 2, GP_URGENT, now);
        }
    }
}

/* Rows of practice-years, each on random numbers of its own. */
void practice_years(int years, uint64_t seed, double *rows) {
    static Practice practice;
    static uint8_t contacts[PATIENTS];
    sigma = sqrt(log1p(0.25));
    mu = log(15.0) - 0.5 * sigma * sigma;
    make_layers(&exponential_layers, 7.69711747013104972, 0.0039496598225815571993, exponential_density,
                exponential_inverse);
    make_layers(&normal_layers, 3.6541528853610088, 0.00492867323399, normal_density, normal_inverse);
    for (int year = 0; year < years; year++) {
        practice.random = seeded((seed << 32) + (uint64_t)year);
        practice.row = memset(rows + COLUMNS * year, 0, COLUMNS * sizeof(double));
        memset(contacts, 0, sizeof contacts);
        for (int i = 0; i < DAYS; i++) day(&practice, contacts);
        for (int i = 0; i < PATIENTS; i++) practice.row[FREQUENT_PATIENTS] += contacts[i] >= FREQUENT;
    }
}
