module memory-study

go 1.27
