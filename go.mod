module lmtpd

go 1.26.0
