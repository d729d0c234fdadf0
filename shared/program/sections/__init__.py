"""One module for each section of the file: reads it, checks what the section alone can tell, gives its model."""
