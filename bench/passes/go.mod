module passes

go 1.24
