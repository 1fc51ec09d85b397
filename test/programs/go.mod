module gocore.test/programs

go 1.19
