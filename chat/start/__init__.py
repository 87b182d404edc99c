"""What `make run` calls: checks the machine, starts the Procfile under supervisord and tells what it waits for."""
