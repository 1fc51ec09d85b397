extern void goHold(int n);

void hold(int n) { goHold(n + 1); }
