module heapbase

go 1.24
