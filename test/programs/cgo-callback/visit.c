extern int goVisit(int n);

int visitAll(int n) {
	int sum = 0;
	for (int i = 0; i < n; i++) sum += goVisit(i);
	return sum;
}
