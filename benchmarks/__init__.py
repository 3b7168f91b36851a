"""What FaceFix costs, in parts and against peers. Each file is a command; see README.md."""
